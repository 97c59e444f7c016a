import FlowRuns

/// Another flow of the same target, named where a flow says that it comes after it.
package struct FlowReference: Hashable, Sendable {
    /// Its name or its id.
    package let text: String
    /// `nil` until the flow that is meant is known.
    package internal(set) var flow: FlowID?
    package let place: Place

    package init(text: String, flow: FlowID? = nil, place: Place) {
        self.text = text
        self.flow = flow
        self.place = place
    }
}

extension FlowDeclaration {
    /// The flows that it comes after, each once.
    package var predecessors: [FlowID] { after.compactMap(\.flow) }
}
