import type { PluginManifest } from '@millrace/sdk'
import { debeziumManifest } from './debezium/plugin.ts'
import { manifestOf, sideManifests } from './operating-side.ts'

/** The transformations and predicates that come with Millrace; loaded like any plugin. */
export const transformManifests: readonly PluginManifest[] = [
  ...sideManifests('Cast', 'Casts fields or the whole value to another type.', () => import('./cast.ts')),
  manifestOf('transformation', 'DropHeaders', 'Removes headers by name.', () => import('./drop-headers.ts')),
  ...sideManifests('ExtractField', 'Replaces the data by one of its fields.', () => import('./extract-field.ts')),
  manifestOf('transformation', 'Filter', 'Drops records, usually with a predicate.', () => import('./filter.ts')),
  ...sideManifests('Flatten', 'Makes one level of nested data.', () => import('./flatten.ts')),
  ...sideManifests('HeaderFrom', 'Copies or moves fields into headers.', () => import('./header-from.ts')),
  ...sideManifests('HoistField', 'Wraps the data in a field.', () => import('./hoist-field.ts')),
  ...sideManifests('InsertField', 'Inserts topic, offset, time or a constant.', () => import('./insert-field.ts')),
  manifestOf('transformation', 'InsertHeader', 'Adds a header with a constant.', () => import('./insert-header.ts')),
  ...sideManifests('MaskField', 'Replaces values by zeros or a constant.', () => import('./mask-field.ts')),
  manifestOf('transformation', 'RegexRouter', 'Renames topics that match.', () => import('./regex-router.ts')),
  ...sideManifests('ReplaceField', 'Keeps, drops and renames fields.', () => import('./replace-field.ts')),
  ...sideManifests(
    'SetSchemaMetadata',
    'Sets name and version of the schema.',
    () => import('./set-schema-metadata.ts'),
  ),
  ...sideManifests(
    'TimestampConverter',
    'Converts timestamps between forms.',
    () => import('./timestamp-converter.ts'),
  ),
  manifestOf(
    'transformation',
    'TimestampRouter',
    'Puts the time into the name of the topic.',
    () => import('./timestamp-router.ts'),
  ),
  manifestOf(
    'transformation',
    'ValueToKey',
    'Makes the key of fields of the value.',
    () => import('./value-to-key.ts'),
  ),
  debeziumManifest(
    'ExtractNewRecordState',
    'Takes the row out of a change event.',
    () => import('./debezium/extract-new-record-state.ts'),
  ),
  debeziumManifest(
    'outbox.EventRouter',
    'Makes events of the rows of an outbox table.',
    () => import('./debezium/event-router.ts'),
  ),
  debeziumManifest('ByLogicalTableRouter', 'Joins tables in one topic, by its older name.', async () => ({
    default: (await import('./debezium/logical-topic-router.ts')).default.byLogicalTable,
  })),
  debeziumManifest('ToLogicalTopicRouter', 'Joins tables in one topic.', async () => ({
    default: (await import('./debezium/logical-topic-router.ts')).default.toLogicalTopic,
  })),
  manifestOf('predicate', 'HasHeaderKey', 'Has a header of that name.', () => import('./predicates/has-header-key.ts')),
  manifestOf('predicate', 'RecordIsTombstone', 'Has no value.', () => import('./predicates/record-is-tombstone.ts')),
  manifestOf(
    'predicate',
    'TopicNameMatches',
    'Is for a topic whose name matches.',
    () => import('./predicates/topic-name-matches.ts'),
  ),
]
