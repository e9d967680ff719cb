import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeFault, type FaultTarget, type PlannedFault } from './fault-plan.ts'
import { FaultyBucket } from './faulty-bucket.ts'
import { BUCKET, LocalCluster, type LocalNode } from './local-cluster.ts'
import { NatsCluster } from './nats-cluster.ts'
import { ThrottledProxy } from './throttled-proxy.ts'

const AGAIN_MS = 200
/** One that is told to end may take so long. */
const ENDS_MS = 20_000

/** The place of one server, which is started again where it was. */
interface Place {
  readonly port: number
  node: LocalNode
  /** Whether something happens to it, or it is down. */
  isBusy: boolean
}

/** Servers of one bucket in processes of their own, to which things happen as planned. What happened is told in `trace`. */
export class ClusterUnderFaults {
  /** What has happened and when, a line each. */
  readonly trace: string[] = []
  /** What no fault explains. */
  readonly failures: string[] = []
  readonly #cluster: LocalCluster
  readonly #bucket: FaultyBucket
  readonly #nats: NatsCluster | undefined
  readonly #folder: string
  readonly #links: ReadonlyMap<string, ThrottledProxy>
  readonly #places: Place[]
  readonly #startedAt = performance.now()
  readonly #ending = new AbortController()
  /** What servers need to start, and can't be had. */
  readonly #unwell = new Set<'bucket' | 'nats'>()

  private constructor(
    cluster: LocalCluster,
    bucket: FaultyBucket,
    nats: NatsCluster | undefined,
    folder: string,
    links: ReadonlyMap<string, ThrottledProxy>,
  ) {
    this.#cluster = cluster
    this.#bucket = bucket
    this.#nats = nats
    this.#folder = folder
    this.#links = links
    this.#places = cluster.nodes.map((node) => ({ node, port: Number(new URL(node.url).port), isBusy: false }))
    for (const place of this.#places) this.#watch(place)
  }

  /** @param options with `natsServers` that have the log; it is in the bucket if there are none */
  static async start(options: {
    readonly schema: string
    readonly seed: number
    readonly natsServers: number
  }): Promise<ClusterUnderFaults> {
    const { schema, seed, natsServers } = options
    const folder = await mkdtemp(join(tmpdir(), 'rowcast-faults-'))
    const bucket = await FaultyBucket.open(BUCKET, folder, seed)
    const nats = natsServers > 0 ? await NatsCluster.start({ servers: natsServers }) : undefined
    const links = new Map<string, ThrottledProxy>()
    const advertise = async (url: string): Promise<string> => {
      const link = links.get(url) ?? (await ThrottledProxy.open(url))
      links.set(url, link)
      return link.url
    }
    const cluster = await LocalCluster.start({ schema, bucket, nats, advertise })
    return new ClusterUnderFaults(cluster, bucket, nats, folder, links)
  }

  /** Of the places, whoever is there. */
  get urls(): readonly string[] {
    return this.#places.map(({ node }) => node.url)
  }

  /** Lets it all happen, each thing at its time or once what stands in its way is over, and then mends what is broken. */
  async run(plan: readonly PlannedFault[], lengthMs: number): Promise<void> {
    const from = performance.now()
    const until = (atMs: number): Promise<void> => delay(Math.max(0, from + atMs - performance.now()))
    const happening: Promise<void>[] = []
    for (const planned of plan) {
      await until(planned.atMs)
      happening.push(this.#happen(planned).catch((error: unknown) => void this.failures.push(String(error))))
    }
    await until(lengthMs)
    this.#tell('all faults end')
    this.#ending.abort()
    await Promise.all(happening)
    this.#tell('all are there')
  }

  /** What the servers printed as errors, of all that ever ran. */
  get problems(): readonly string[] {
    return this.#cluster.nodes.map(({ problems }) => problems)
  }

  /** A time as it is in `trace`. */
  timeOf(ms: number): string {
    return `${((ms - this.#startedAt) / 1000).toFixed(2)} s`
  }

  async close(): Promise<void> {
    this.#ending.abort()
    for (const place of this.#places) place.isBusy = true
    await this.#cluster.close()
    await this.#nats?.close()
    await this.#bucket.close()
    for (const link of this.#links.values()) await link.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #happen(planned: PlannedFault): Promise<void> {
    if (planned.on === 'bucket') return this.#harmBucket(planned)
    if (planned.on === 'nats') return this.#harmNats(planned)
    const number = await this.#find(planned.node)
    const place = this.#places[number]!
    this.#tell(`${describeFault(planned)}${'ownerOf' in planned.node ? ` (server ${number})` : ''}`)
    if (place.isBusy) {
      this.#tell('is not there')
      return
    }
    place.isBusy = true
    try {
      await this.#harm(place, planned.fault, planned.lastsMs)
    } finally {
      place.isBusy = false
    }
    this.#tell(`server ${number} is well again`)
  }

  async #harmBucket(planned: PlannedFault & { on: 'bucket' }): Promise<void> {
    this.#tell(describeFault(planned))
    if (planned.fault !== 'slow') this.#unwell.add('bucket')
    await this.#bucket.begin(planned.fault, planned.percent)
    await this.#last(planned.lastsMs)
    await this.#bucket.mend()
    this.#unwell.delete('bucket')
    this.#tell('the bucket is well again')
  }

  async #harmNats(planned: PlannedFault & { on: 'nats' }): Promise<void> {
    this.#tell(describeFault(planned))
    const { servers } = this.#nats!
    const harmed = planned.fault === 'kill all' ? servers : [servers[planned.place]!]
    this.#unwell.add('nats')
    await Promise.all(harmed.map((server) => (planned.fault === 'end' ? server.stop() : server.kill())))
    await this.#last(planned.lastsMs)
    await Promise.all(harmed.map((server) => server.start()))
    this.#unwell.delete('nats')
    this.#tell('NATS is there again')
  }

  async #harm(place: Place, fault: (PlannedFault & { on: 'node' })['fault'], lastsMs: number): Promise<void> {
    const { node } = place
    if (fault === 'freeze') {
      node.child.kill('SIGSTOP')
      await this.#last(lastsMs)
      node.child.kill('SIGCONT')
    } else if (fault === 'cut') {
      const link = this.#links.get(node.url)!
      link.cut()
      await this.#last(lastsMs)
      link.restore()
    } else {
      if (fault === 'end') await this.#end(node)
      else await node.end('SIGKILL')
      await this.#last(lastsMs)
      await this.#startAgain(place)
    }
  }

  async #end(node: LocalNode): Promise<void> {
    const [code, signal] = await Promise.race([
      node.end('SIGTERM'),
      delay(ENDS_MS, ['it goes on', null] as const, { ref: false }),
    ])
    this.#tell(`ended: ${code ?? signal}`)
    if (code === 'it goes on') await node.end('SIGKILL')
    const isExpected = code === 0 || (code === 1 && node.problems.includes('Ended with what was not acknowledged yet'))
    if (!isExpected) this.failures.push(`a server told to end: ${code ?? signal}\n${node.problems}`)
  }

  /** As whatever looks after processes does: one that finds no bucket, or no NATS, ends, and is started again. */
  async #startAgain(place: Place): Promise<void> {
    for (;;) {
      const wasWell = this.#unwell.size === 0
      try {
        place.node = await this.#cluster.add(place.port)
        break
      } catch (error) {
        this.#tell('a server did not start')
        if (wasWell && this.#unwell.size === 0) throw error
        await delay(AGAIN_MS)
      }
    }
    this.#watch(place)
  }

  #watch(place: Place): void {
    const { node } = place
    node.child.once('exit', (code, signal) => {
      if (place.isBusy) return
      this.failures.push(`a server died by itself: ${code ?? signal}\n${node.problems}`)
      this.#tell(this.failures.at(-1)!)
    })
  }

  /** The place of a server. Where nobody is found that looks after the database now, the first to which nothing happens. */
  async #find(target: FaultTarget): Promise<number> {
    if ('place' in target) return target.place
    const free = [...this.#places.keys()].filter((at) => !this.#places[at]!.isBusy)
    const owners = await Promise.all(
      free.map(async (at) => {
        const owner = this.#cluster.ownerOf(target.ownerOf, [this.#places[at]!.node])
        const found = await Promise.race([owner.catch(() => undefined), delay(1_000, undefined, { ref: false })])
        return found ? [at] : []
      }),
    )
    return [...owners.flat(), ...free, 0][0]!
  }

  async #last(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ending.signal }).catch((error: unknown) => {
      if (!this.#ending.signal.aborted) throw error
    })
  }

  #tell(what: string): void {
    this.trace.push(`${this.timeOf(performance.now())}: ${what}`)
  }
}
