import { realDisk } from '../../base/real/index.ts'
import { manifests } from '../../catalogue.ts'
import { converterManifests, PluginRegistry, scanPackages } from '../../connect/index.ts'

/** What a worker with these entries of `plugin.path` would know. */
export function registryWith(paths: readonly string[]): PluginRegistry {
  return new PluginRegistry(
    [...manifests, ...converterManifests],
    scanPackages(paths, realDisk, () => {}),
  )
}
