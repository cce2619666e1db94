import { all } from './program.js';
import { runWith } from './run.js';

// No `await` at the top level: CommonJS has none.
void runWith(all).then((lines) => console.log(lines.join('\n')));
