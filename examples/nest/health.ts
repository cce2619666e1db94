import { Controller, Get } from '@nestjs/common';
import { HealthCheck, HealthCheckService } from '@nestjs/terminus';
import { HoplineHealthIndicator } from 'hopline/nest';

@Controller('health')
export class Health {
  constructor(
    private readonly health: HealthCheckService,
    private readonly hopline: HoplineHealthIndicator,
  ) {}

  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.hopline.isHealthy()]);
  }

  @Get('live')
  @HealthCheck()
  live() {
    return this.health.check([() => this.hopline.isAlive()]);
  }
}
