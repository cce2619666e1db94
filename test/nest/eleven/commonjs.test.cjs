const assert = require('node:assert/strict');
require('reflect-metadata');
const { Injectable, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { Bus, memory } = require('hopline');
const { Handles } = require('hopline/decorators');
const { HoplineModule } = require('hopline/nest');

describe('an application of Nest 11 in CommonJS', () => {
  it('has its bus and its handlers by require()', async () => {
    const nest = require('@nestjs/core/package.json').version;
    assert.match(nest, /^11\./);
    const seen = [];
    class Welcome {
      handle(payload) {
        seen.push(payload);
      }
    }
    Injectable()(Welcome);
    Handles('user.registered')(Welcome);
    class AppModule {}
    Module({
      imports: [HoplineModule.forRoot({ service: 'app', transport: memory() })],
      providers: [Welcome],
    })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
    const bus = app.get(Bus);
    const handled = new Promise((resolve) => bus.on('handler.succeeded', resolve));
    await bus.publish('user.registered', { name: 'ada' });
    await handled;
    await app.close();
    assert.deepEqual(seen, [{ name: 'ada' }]);
  });
});
