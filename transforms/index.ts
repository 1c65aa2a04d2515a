import type { PluginManifest } from '@millrace/sdk'
import { manifestOf, sideManifests } from './operating-side.ts'

/** The transformations and predicates that come with Millrace; loaded like any plugin. */
export const transformManifests: readonly PluginManifest[] = [
  ...sideManifests('ExtractField', 'Replaces the data by one of its fields.', () => import('./extract-field.ts')),
  manifestOf('transformation', 'Filter', 'Drops records, usually with a predicate.', () => import('./filter.ts')),
  ...sideManifests('HoistField', 'Wraps the data in a field.', () => import('./hoist-field.ts')),
  ...sideManifests('InsertField', 'Inserts topic, offset, time or a constant.', () => import('./insert-field.ts')),
  ...sideManifests('MaskField', 'Replaces values by zeros or a constant.', () => import('./mask-field.ts')),
  ...sideManifests('ReplaceField', 'Keeps, drops and renames fields.', () => import('./replace-field.ts')),
  manifestOf(
    'transformation',
    'ValueToKey',
    'Makes the key of fields of the value.',
    () => import('./value-to-key.ts'),
  ),
  manifestOf('predicate', 'HasHeaderKey', 'Has a header of that name.', () => import('./predicates/has-header-key.ts')),
  manifestOf('predicate', 'RecordIsTombstone', 'Has no value.', () => import('./predicates/record-is-tombstone.ts')),
  manifestOf(
    'predicate',
    'TopicNameMatches',
    'Is for a topic whose name matches.',
    () => import('./predicates/topic-name-matches.ts'),
  ),
]
