/** Calls `run` once, before the next frame is drawn; what it returns takes that back. */
export type FrameScheduler = (run: () => void) => () => void

const FRAME_MS = 16

/** `requestAnimationFrame`; where there is none (Node), a timer of 16 ms. */
export const nextFrame: FrameScheduler = (run) => {
  if (typeof requestAnimationFrame === 'function') {
    const frame = requestAnimationFrame(run)
    return () => cancelAnimationFrame(frame)
  }
  const timer = setTimeout(run, FRAME_MS)
  return () => clearTimeout(timer)
}
