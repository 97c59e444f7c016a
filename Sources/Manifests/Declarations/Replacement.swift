import FlowRuns

/// A reference to a replaced flow. A flow's connection and mapping cannot be changed, so its data continues under a new
/// flow ID. The replaced flow's recorded runs count for the new flow.
package struct Replacement: Hashable, Sendable {
    package let flow: FlowID
    package let place: Place

    package init(flow: FlowID, place: Place) {
        self.flow = flow
        self.place = place
    }
}
