import type { ConfigIssue } from '@millrace/sdk'
import type { FileSystem } from '../_shared/file-source/index.ts'
import { bucketIssues, storeSettings } from '../_shared/s3/index.ts'
import { connectTo, type PlaceConfig, quiet } from './connect.ts'

/** Opens the place of a configuration and looks at it; what keeps it from being opened is told by its key. */
export async function placeIssues(
  config: PlaceConfig,
  look: (system: FileSystem) => Promise<readonly ConfigIssue[]>,
): Promise<readonly ConfigIssue[]> {
  if (config['file.system'] === 's3') {
    const { ObjectStore } = await import('../_shared/s3/object-store.ts')
    const settings = storeSettings(config)
    const issues = await bucketIssues(new ObjectStore(settings), settings)
    if (issues.length > 0) return issues
  }
  return issuesOf(() => connectTo(config, quiet), 'file.system', look)
}

/** The same for a place that is opened otherwise; `key` is at fault where an error names none. */
export async function issuesOf(
  connect: () => Promise<FileSystem>,
  key: string,
  look: (system: FileSystem) => Promise<readonly ConfigIssue[]>,
): Promise<readonly ConfigIssue[]> {
  let system: FileSystem
  try {
    system = await connect()
  } catch (error) {
    return [{ key: (error as { key?: string }).key ?? key, message: (error as Error).message }]
  }
  try {
    return await look(system)
  } finally {
    await system.close()
  }
}
