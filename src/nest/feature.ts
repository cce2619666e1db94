/** What `forFeature` leaves in its module, by which the handlers of the module are known to belong to a bus. */
export class HoplineFeature {
  constructor(readonly bus: string) {}
}
