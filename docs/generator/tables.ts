import type { ConfigDef, ConfigKey } from '@millrace/sdk'
import { NO_EFFECT, REMARKS } from './no-effect.ts'

/** Stands at the top of every page that no one edits. */
export const NOTE = '<!-- Made by `npm run docs` from the definitions in the code. -->'

/** Text for a cell of a table: in one line, without what Markdown or a browser would take for markup. */
export function cell(text: string): string {
  return text
    .replaceAll(/<\/?code>/g, '`')
    .replaceAll('<', '&lt;')
    .replaceAll('|', '\\|')
    .replaceAll(/\s*\n\s*/g, ' ')
}

/** A value as code; an empty one as two quotes. */
export function code(text: string): string {
  return text === '' ? '`""`' : `\`${text.replaceAll('|', '\\|')}\``
}

/** A table of Markdown as the formatter writes it, with columns of equal width; the cells are taken as they are. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(3, head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`
  return [
    line(heads, ' '),
    line(Array<string>(heads.length).fill('-'), '-'),
    ...rows.map((row) => line(row, ' ')),
  ].join('\n')
}

function defaultOf(key: ConfigKey): string {
  if (key.default === undefined) return 'required'
  if (key.default === null) return '-'
  return code(Array.isArray(key.default) ? key.default.join(',') : String(key.default))
}

function bounds({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) return ` ${min} to ${max}.`
  if (min !== undefined) return ` At least ${min}.`
  return max === undefined ? '' : ` At most ${max}.`
}

/** Ends a sentence that its author left open, so that another may follow. */
export function sentence(text: string): string {
  return /[.!?)]$/.test(text.trimEnd()) ? text.trimEnd() : `${text.trimEnd()}.`
}

/** What is added to the text of a key that does nothing yet, or less than it says. */
export function effect(name: string): string {
  if (NO_EFFECT.has(name)) return ' **Accepted, without effect yet.**'
  const remark = REMARKS[name]
  return remark === undefined ? '' : ` **${remark}**`
}

function meaning(name: string, key: ConfigKey): string {
  const values = key.oneOf ? ` One of: ${key.oneOf.map(code).join(', ')}.` : ''
  const example = key.example === undefined ? '' : ` For example ${code(key.example)}.`
  const aliases = key.aliases === undefined ? '' : ` Also read: ${key.aliases.map(code).join(', ')}.`
  return `${cell(sentence(key.doc))}${values}${bounds(key)}${example}${aliases}${effect(name)}`
}

/** A configuration as a table, in the order of its definition. */
export function configTable(config: ConfigDef): string {
  const keys = Object.entries(config)
  if (keys.length === 0) return 'No options.'
  const rows = keys.map(([name, key]) => [code(name), key.type, defaultOf(key), key.importance, meaning(name, key)])
  return table(['key', 'type', 'default', 'importance', 'meaning'], rows)
}

/** A page: note, title, what stands before the first section, sections. */
export function page(title: string, intro: string, sections: readonly string[]): string {
  return `${[NOTE, `# ${title}`, intro, ...sections].join('\n\n')}\n`
}
