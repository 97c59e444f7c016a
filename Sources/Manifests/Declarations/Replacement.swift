import FlowRuns

/// That a flow replaces another one: a flow's connection and mapping cannot be changed, so its data goes on under a new
/// id. What the replaced flow has recorded counts for the new one.
package struct Replacement: Hashable, Sendable {
    package let flow: FlowID
    package let place: Place

    package init(flow: FlowID, place: Place) {
        self.flow = flow
        self.place = place
    }
}
