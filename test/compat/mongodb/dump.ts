import { Binary, BSON, type MongoClient, ObjectId, UUID } from 'mongodb'
import { OBJECT_IDS, UUIDS } from './texts.ts'

const OWN = new Set(['admin', 'config', 'local'])
/** With the types that values have there. */
const AS_STORED = { promoteValues: false, bsonRegExp: true } as const
const CLOCK = new Set(['_insertedTS', '_modifiedTS'])

/** Documents by namespace, as text that is alike where the documents are; ids and times that were made have no value. */
export type Dump = Readonly<Record<string, readonly string[]>>

/** All documents of the databases, by the case that their names begin with. */
export async function dumpDatabases(
  client: MongoClient,
  caseOf: (database: string) => string,
): Promise<Map<string, Dump>> {
  const dumps = new Map<string, Record<string, readonly string[]>>()
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true })
  for (const { name } of databases.filter((one) => !OWN.has(one.name))) {
    const dump = dumps.get(caseOf(name)) ?? {}
    dumps.set(caseOf(name), dump)
    const collections = await client.db(name).listCollections({}, { nameOnly: true }).toArray()
    for (const { name: collection } of collections.filter((one) => !one.name.startsWith('system.'))) {
      const found = await client.db(name).collection(collection).find({}, AS_STORED).toArray()
      if (found.length > 0) dump[`${name}.${collection}`] = found.map((document) => textOf(document)).toSorted()
    }
  }
  return dumps
}

/** With the id first, where a server of MongoDB has it; this one leaves it where it was. */
function textOf({ _id, ...rest }: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(shown({ _id, ...rest }, ''))
}

function shown(value: any, name: string): unknown {
  if (value instanceof ObjectId)
    return { oid: (OBJECT_IDS as readonly string[]).includes(value.toHexString()) ? value.toHexString() : '*' }
  if (value instanceof Date) return CLOCK.has(name) ? { date: '*' } : { date: value.getTime() }
  if (typeof value === 'string') return isMade(value) ? { uuid: '*' } : value
  if (value instanceof Binary && value.sub_type >= 3 && value.sub_type <= 4 && value.position === 16) {
    const uuid = new UUID(value.buffer.subarray(0, 16)).toString()
    return { uuid: isMade(uuid) ? '*' : uuid, type: value.sub_type }
  }
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => shown(item, ''))
  if ('_bsontype' in value) return BSON.EJSON.serialize(value, { relaxed: false })
  return { document: Object.entries(value).map(([key, member]) => [key, shown(member, key)]) }
}

function isMade(text: string): boolean {
  return UUID.isValid(text) && text.length === 36 && !(UUIDS as readonly string[]).includes(text)
}
