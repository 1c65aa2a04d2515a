import type { PluginManifest } from '@millrace/sdk'
import { builtinManifests } from '../connectors/index.ts'
import { transformManifests } from '../transforms/index.ts'
import { converterManifests } from './connect/converters/index.ts'

/** Everything built in. Task hosts and the worker import it by its URL; it loads no plugin's code, only what is known of it. */
export const manifests: readonly PluginManifest[] = [...builtinManifests, ...transformManifests, ...converterManifests]

/** The address under which task hosts find it. */
export const catalogueUrl: string = import.meta.url
