import type { Api } from './api.ts'
import { apis } from './generated/apis.ts'

const byKey: (Api<unknown, unknown> | undefined)[] = []
for (const api of Object.values(apis)) byKey[api.key] = api as Api<unknown, unknown>

/** The API with this key, or undefined when it is not spoken here. */
export function apiByKey(key: number): Api<unknown, unknown> | undefined {
  return byKey[key]
}
