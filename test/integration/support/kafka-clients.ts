// What connectors get as `context.kafka`, for the acceptance suite: each cluster is named by the configuration.
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../../src/base/real/index.ts'
import { createPluginClients } from '../../../src/connect/worker/plugin-clients.ts'

const environment = { net: realNet, clock: realClock, random: realRandom, logger: silentLogger }

export default createPluginClients({}, environment).kafka
