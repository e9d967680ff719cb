// What the apps use of the peers. These are installed apart, in bench/peers, and may not be there when types are checked.
declare module 'virtual:peers/zustand' {
  interface UseStore<State> {
    <Selection>(select: (state: State) => Selection): Selection
    readonly setState: (partial: Partial<State> | ((state: State) => Partial<State>)) => void
  }
  export function create<State>(): (initialise: () => State) => UseStore<State>
}

declare module 'virtual:peers/mobx' {
  export const observable: object
  export const observableShallow: object
  export const observableRef: object
  export function makeObservable<T extends object>(target: T, annotations: { readonly [Name in keyof T]?: object }): T
  export function action<Arguments extends unknown[], Result>(
    run: (...args: Arguments) => Result,
  ): (...args: Arguments) => Result
}

declare module 'virtual:peers/mobx-react-lite' {
  import type { FunctionComponent, ReactNode } from 'react'

  export function observer<Props>(component: (props: Props) => ReactNode): FunctionComponent<Props>
}
