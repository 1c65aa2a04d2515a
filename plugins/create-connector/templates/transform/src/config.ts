import { defineConfig } from '@millrace/sdk'

/** The options: types, validation, documentation and the table in the README all follow from this. */
export const config = defineConfig({
  fields: {
    type: 'list',
    nonEmpty: true,
    unique: true,
    importance: 'high',
    doc: 'The fields of the value to replace. Those that a record does not have are passed over.',
    example: 'email,phone',
  },
  salt: {
    type: 'password',
    default: '',
    importance: 'medium',
    doc: 'Is hashed before each value, so that nobody can find values out by hashing guesses.',
  },
})
