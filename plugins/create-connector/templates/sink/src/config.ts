import { defineConfig } from '@millrace/sdk'

/** The options: types, validation, documentation and the table in the README all follow from this. */
export const config = defineConfig({
  folder: {
    type: 'string',
    nonEmpty: true,
    importance: 'high',
    doc: 'Where the files are kept. It is made when it is missing.',
    example: '/var/lib/customers',
  },
  extension: {
    type: 'string',
    default: '.json',
    importance: 'low',
    doc: 'What the names of the files end with.',
    validate: (value: string) => (/^[\w.-]*$/.test(value) ? undefined : 'letters, digits and ._- are allowed'),
  },
})
