import type { PluginManifest } from '@millrace/sdk'
import { builtinManifests } from '../connectors/index.ts'
import { transformManifests } from '../transforms/index.ts'

/**
 * The connectors and transformations that come with Millrace. Workers and their task hosts import it by its URL; it
 * loads no plugin's code, only what is known of it.
 */
export const manifests: readonly PluginManifest[] = [...builtinManifests, ...transformManifests]

/** The address under which task hosts find it. */
export const catalogueUrl: string = import.meta.url
