/** Values keep the types that they have in BSON: a long stays a long, however small. */
export const READ_OPTIONS = { promoteValues: false, promoteBuffers: false, bsonRegExp: true } as const
