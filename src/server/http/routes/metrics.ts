import type { ServerCore } from '../../create-server.ts'
import { bearerToken } from '../bearer-token.ts'
import type { Metrics } from '../metrics.ts'

/** What the server counts, for Prometheus. Counts tell of what is hidden: they are for those who may list databases. */
export async function answerMetrics(
  options: { readonly core: ServerCore; readonly metrics: Metrics; readonly publicMetrics: boolean },
  request: Request,
): Promise<Response> {
  const { core, metrics, publicMetrics } = options
  if (!publicMetrics) await core.authorize(await core.authenticate({ token: bearerToken(request) }), 'list')
  const { registry } = metrics
  return new Response(await registry.metrics(), {
    headers: { 'content-type': registry.contentType, 'cache-control': 'no-store' },
  })
}
