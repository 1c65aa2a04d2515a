import type { SinkDifference } from './compare-sinks.ts'

interface Known {
  readonly why: string
  readonly matches: (difference: SinkDifference) => boolean
}

const isOf = ({ options }: SinkDifference, key: string, name: string): boolean => options[key]?.endsWith(name) ?? false
const handledBy = (d: SinkDifference, name: string): boolean => isOf(d, 'change.data.capture.handler', name)

/** Where the sink differs from the original on purpose. Each rule names what both sides say, as narrowly as it can. */
export const SINK_KNOWN: readonly Known[] = [
  {
    why: 'a tombstone strategy without the part of the key that it goes by is refused with the options; the original refuses records',
    matches: (d) => d.about === 'configuration' && d.ours.includes('needs document.id.strategy=PartialKeyStrategy'),
  },
  {
    why: 'delete.on.null.values works with UuidProvidedInKeyStrategy too, which makes ids of keys; the original refuses it',
    matches: (d) =>
      d.about === 'configuration' &&
      d.options['delete.on.null.values'] === 'true' &&
      isOf(d, 'document.id.strategy', '.UuidProvidedInKeyStrategy') &&
      d.ours === 'accepted',
  },
  {
    why: 'a replacement with a group that its pattern lacks is refused with the options; the original refuses every record that fits',
    matches: (d) => d.about === 'configuration' && d.java === 'accepted' && d.ours.includes('the pattern has no group'),
  },
  {
    why: 'text has to be JSON; the original also reads names without quotes, as the shell does',
    matches: (d) =>
      d.java === 'taken' && d.ours.includes('no extended JSON') && /\{a: 1\}/.test(String(d.record?.value)),
  },
  {
    why: 'a key that is no document is the fault of its record; the original finds it when it writes, and lets the whole bulk go',
    matches: (d) =>
      /^(data|failed): .*(Could not convert key|non Data Error)/.test(d.java) &&
      /^(taken|write|data: .*(no extended JSON|text is no object|has to be|bytes are no BSON))/.test(d.ours) &&
      /\.(Full|Partial)KeyStrategy$/.test(d.options['document.id.strategy'] ?? ''),
  },
  {
    why: 'a key that is no document has no fields to rename; the original refuses its record',
    matches: (d) =>
      /^(data|failed): .*Could not convert key/.test(d.java) &&
      !/^(data|failed): .*(no extended JSON|a document has to be)/.test(d.ours) &&
      /\.RenameBy/.test(d.options['post.processor.chain'] ?? ''),
  },
  {
    why: 'change events that have a schema carry documents as text; the original refuses its own',
    matches: (d) =>
      /expect(ing|ed) a document but found `(BsonString|\{"updatedFields": ")/.test(d.java) && d.ours === 'taken',
  },
  {
    why: 'a tombstone is no event; this handler of the original takes it for one that says nothing',
    matches: (d) =>
      d.record?.value === null && d.ours === 'taken' && d.options['change.data.capture.handler'] !== undefined,
  },
  {
    why: "updates of Debezium 2 and later have the document or the change; the original's handler asks for the patch of the oplog",
    matches: (d) => handledBy(d, '.debezium.mongodb.MongoDbHandler') && d.java.includes('missing `patch` field'),
  },
  {
    why: 'updateLookup of a document that is gone has none: the change is repeated instead; the original refuses the record',
    matches: (d) =>
      d.java.includes('Unexpected fullDocument field type') &&
      d.java.includes('found `BsonNull`') &&
      d.ours === 'taken',
  },
  {
    why: 'a part of the change that is null or not there is none; the original refuses the record',
    matches: (d) =>
      /Unexpected \w+ field type.*found `BsonNull`|Missing updateDescription/.test(d.java) && d.ours === 'taken',
  },
  {
    why: 'arrays that were cut are cut; the original refuses the record',
    matches: (d) => /unexpected field\(s\) in updateDescription/.test(d.java) && !d.ours.startsWith('failed'),
  },
  {
    why: 'without an image of the row before all columns are set; the original refuses the record',
    matches: (d) => /a 'beforeData' that is not a document: .*"beforeData": null/.test(d.java) && d.ours === 'taken',
  },
  {
    why: 'updates of Debezium without the document are told by the change; the original refuses the record',
    matches: (d) =>
      handledBy(d, '.debezium.mongodb.ChangeStreamHandler') &&
      /type STRING.*type NULL|missing `after` field/.test(d.java) &&
      d.ours === 'taken',
  },
  {
    why: "names of fields that cannot be written are the fault of their record; the original's driver lets the whole bulk go",
    matches: (d) =>
      d.java.includes('Invalid BSON field name') ||
      (d.java.includes('non Data Error') && handledBy(d, '.debezium.mongodb.MongoDbHandler')),
  },
  {
    why: 'an error of the server itself fails the task; the original lets the records go',
    matches: (d) => /^write: .*MongoCommandException/.test(d.java) && d.ours.startsWith('failed: '),
  },
  {
    why: 'the writes of one document keep their order, also in an unordered bulk; the original lets the server choose',
    matches: (d) => d.about === 'documents' && d.hasBulks && d.options['bulk.write.ordered'] === 'false',
  },
  {
    why: 'a patch that changes nothing is nothing; the original lets the whole bulk go',
    matches: (d) => d.java.includes('Invalid BSON document for an update') && d.ours === 'taken',
  },
  {
    why: 'the test server goes on behind a refused update of an ordered bulk, as no MongoDB does; the original ends by an assertion',
    matches: (d) => d.java.startsWith('failed: ') && d.java.includes('AssertionError'),
  },
  {
    why: 'what is behind a record that the server refuses in an ordered bulk is written; the original reports it unwritten',
    matches: (d) => d.java.startsWith('skipped: '),
  },
  {
    why: 'an update event writes its document also where the target has none yet; the original leaves it out without a word',
    matches: (d) => d.about === 'documents' && handledBy(d, 'cdc.mongodb.ChangeStreamHandler'),
  },
]

/** Why a difference is meant, or undefined. */
export function whySinkKnown(difference: SinkDifference): string | undefined {
  return SINK_KNOWN.find(({ matches }) => matches(difference))?.why
}
