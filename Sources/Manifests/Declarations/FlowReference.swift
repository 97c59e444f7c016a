import FlowRuns

/// A reference to another flow of the same target, in `after`.
package struct FlowReference: Hashable, Sendable {
    /// The referenced flow's name or ID, as written.
    package let text: String
    /// The referenced flow; `nil` until resolved.
    package internal(set) var flow: FlowID?
    package let place: Place

    package init(text: String, flow: FlowID? = nil, place: Place) {
        self.text = text
        self.flow = flow
        self.place = place
    }
}

extension FlowDeclaration {
    /// The flows that this one comes after, each once.
    package var predecessors: [FlowID] { after.compactMap(\.flow) }
}
