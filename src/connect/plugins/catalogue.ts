import type { PluginManifest } from '@millrace/sdk'
import { converterManifests } from '../converters/index.ts'

/**
 * What is built in: the connectors and transformations of the catalogue module at this URL, and Connect's converters.
 * Connect may not import connectors, so the program that starts it says where their catalogue is.
 */
export async function loadCatalogue(url: string): Promise<readonly PluginManifest[]> {
  const { manifests } = (await import(url)) as { manifests?: readonly PluginManifest[] }
  if (!manifests) throw new Error(`${url} exports no manifests`)
  return [...manifests, ...converterManifests]
}
