import { EVENT_LINES, type EventLine } from '../../src/observe/logs/catalogue.js';
import { withPart } from '../../test/stacks/docs-tables.js';
import { compile, docOf, fieldTypeOf, moduleOf, table } from './source.js';

const FIELDS = 'src/events/log-fields.ts';

/** docs/logs.md with its tables as the code has them. */
export const logsPage = (page: string): string =>
  withPart(withPart(page, 'levels', levelTable()), 'fields', fieldTable());

function levelTable(): string {
  const rows = Object.entries(EVENT_LINES as Readonly<Record<string, EventLine<unknown>>>).map(
    ([name, { level, minor }]) => {
      const usual = level === false ? '–' : `\`${level}\``;
      return [`\`${name}\``, minor ? `${usual}; \`debug\` ${minor.what}` : usual];
    },
  );
  return table(['event', 'level'], rows);
}

function fieldTable(): string {
  const program = compile(FIELDS);
  const checker = program.getTypeChecker();
  const fields = checker
    .getExportsOfModule(moduleOf(program, FIELDS))
    .find(({ name }) => name === 'LogFields');
  if (!fields) throw new Error(`${FIELDS} has no LogFields`);
  const rows = checker
    .getPropertiesOfType(checker.getDeclaredTypeOfSymbol(fields))
    .map((field) => [`\`${field.name}\``, `\`${fieldTypeOf(field, checker)}\``, docOf(field, checker)]);
  return table(['field', 'type', 'meaning'], rows);
}
