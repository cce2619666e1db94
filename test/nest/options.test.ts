import assert from 'node:assert/strict';
import { Injectable, Module } from '@nestjs/common';
import { Handles } from '../../decorators/index.js';
import { Bus, memory } from '../../src/index.js';
import { HoplineModule } from '../../src/nest/index.js';
import { deferred } from '../../src/util/deferred.js';
import { silentLogger } from '../../src/util/logger.js';
import { application, busModule, close, problemsOf } from './application.js';

@Injectable()
class Notes {
  readonly lines: string[] = [];
}

@Module({ providers: [Notes], exports: [Notes] })
class NotesModule {}

class Endless {
  @Handles('endless')
  onEndless() {
    return new Promise(() => {});
  }
}

describe('options of HoplineModule', () => {
  it('may be made by a factory, of what is injected into it', async () => {
    const app = await application({
      imports: [
        HoplineModule.forRootAsync({
          imports: [NotesModule],
          inject: [Notes],
          useFactory: async (notes: Notes) => ({
            service: `notes-${notes.lines.length}`,
            transport: memory(),
            log: silentLogger,
          }),
        }),
      ],
    });
    assert.equal(app.get(Bus).service, 'notes-0');
    assert.equal(app.get(Bus).health().state, 'started');
  });

  it('may have no log, which is then that of Nest', async () => {
    const app = await application({
      imports: [
        HoplineModule.forRootAsync({
          // As of a configuration that says nothing, in a project without exactOptionalPropertyTypes.
          useFactory: () => ({
            service: 'a',
            transport: memory(),
            stopDeadline: '50ms',
            log: undefined as never,
          }),
        }),
      ],
      providers: [Endless],
    });
    const began = deferred();
    app.get(Bus).on('handler.started', () => began.resolve());
    await app.get(Bus).publish('endless', {});
    await began.promise;
    await close(app);
  });

  it('are objects without unknown names', async () => {
    const { forRoot, forRootAsync, forFeature } = HoplineModule as unknown as Record<
      string,
      (...given: unknown[]) => unknown
    >;
    const useFactory = () => ({ service: 'a', transport: memory() });
    for (const [method, given, problem] of [
      [forRoot, [], /forRoot: expected the options to be an object, got undefined/],
      [forRootAsync, [], /forRootAsync: expected the options to be an object, got undefined/],
      [
        forRootAsync,
        [{ useClass: Endless }],
        /unknown option useClass[\s\S]*expected useFactory to be a function/,
      ],
      [forRootAsync, [{ useFactory, includes: [] }], /unknown option includes, did you mean include/],
      [forRootAsync, [{ useFactory, inject: Endless }], /expected inject to be a list of tokens/],
      [forFeature, [Endless], /forFeature: expected a list of handler classes, got function Endless/],
      [forFeature, [[Endless], { busName: 'x' }], /forFeature: unknown option busName/],
    ] as const)
      assert.throws(() => method?.call(HoplineModule, ...given), problemsOf(problem));
  });

  it('that stand beside the factory are refused in what it returns, and those of the bus are said to be of the module', async () => {
    const useFactory = () => ({ service: 'a', transport: memory(), name: 'orders', autoStart: false });
    await assert.rejects(
      application({ imports: [HoplineModule.forRootAsync({ useFactory })] }),
      problemsOf(
        /forRootAsync:[\s\S]*name is none of the options[\s\S]*autoStart is none.*beside useFactory/,
      ),
    );
    const unknown = { service: 'a', transport: memory(), concurency: 3 };
    await assert.rejects(
      application({ imports: [HoplineModule.forRoot(unknown)] }),
      problemsOf(/HoplineModule.forRoot: unknown option concurency, did you mean concurrency/),
    );
  });

  it('are checked, and handlers are none of them', async () => {
    const wrong = { service: 'a', transport: memory(), autoStart: 'yes' as unknown as boolean };
    assert.throws(
      () => HoplineModule.forRoot(wrong),
      problemsOf(/HoplineModule.forRoot: expected autoStart/),
    );
    const handlers = { service: 'a', transport: memory(), handlers: [] };
    await assert.rejects(
      application({ imports: [HoplineModule.forRoot(handlers)] }),
      problemsOf(/unknown option handlers: list the classes as providers/),
    );
    await assert.rejects(
      application({ imports: [HoplineModule.forRootAsync({ useFactory: () => undefined as never })] }),
      problemsOf(/expected the factory to return the options of a bus, got undefined/),
    );
    await assert.rejects(
      application({ imports: [busModule({ concurrency: -1 })] }),
      problemsOf(/expected concurrency to be a positive integer, got -1/),
    );
  });
});
