import FlowRuns

/// The rules on flows that come after other flows of their target.
struct OrderRules {
    private(set) var diagnostics: [Diagnostic] = []
    /// The flows with ``FlowReference/flow`` resolved, in the given order.
    private(set) var flows: [FlowDeclaration]

    init(_ flows: [FlowDeclaration]) {
        self.flows = flows
        guard flows.contains(where: { !$0.after.isEmpty }) else { return }
        for indices in Dictionary(grouping: flows.indices, by: { flows[$0].target }).values {
            let inOrder = indices.sorted { flows[$0].place < flows[$1].place }
            for index in inOrder where !flows[index].after.isEmpty { resolve(index, among: inOrder) }
            checkCycles(inOrder)
        }
    }

    private mutating func resolve(_ index: Int, among others: [Int]) {
        var places: [FlowID: Place] = [:]
        for (position, reference) in flows[index].after.enumerated() {
            let id = FlowID(reference.text)
            let meant = others.map { flows[$0] }.filter { id == nil ? $0.name == reference.text : $0.id == id }
            guard let flow = meant.first else {
                diagnostics.append(.unknown(reference, in: flows[index].target, among: others.map { flows[$0] }))
                continue
            }
            if id == nil, Set(meant.map(\.id)).count > 1 {
                diagnostics.append(.ambiguous(reference, among: meant))
            } else if let first = places[flow.id] {
                diagnostics.append(.twice(reference, first: first))
            } else {
                places[flow.id] = reference.place
                flows[index].after[position].flow = flow.id
            }
        }
    }

    /// Reports each cycle once, at the flow where the search first meets it.
    private mutating func checkCycles(_ indices: [Int]) {
        let byID = Dictionary(indices.map { (flows[$0].id, flows[$0]) }) { first, _ in first }
        var finished: Set<FlowID> = []
        for index in indices where !finished.contains(flows[index].id) {
            // The path from the first flow to the current one, each with the index of the reference to follow next.
            var way: [(flow: FlowDeclaration, next: Int)] = [(flows[index], 0)]
            while let (flow, next) = way.last {
                guard next < flow.after.count else {
                    finished.insert(flow.id)
                    way.removeLast()
                    continue
                }
                way[way.count - 1].next += 1
                guard let id = flow.after[next].flow else { continue }
                if let start = way.firstIndex(where: { $0.flow.id == id }) {
                    diagnostics.append(.cycle(way[start...].map { ($0.flow, $0.flow.after[$0.next - 1].place) }))
                } else if !finished.contains(id), let other = byID[id] {
                    way.append((other, 0))
                }
            }
        }
    }
}

extension Diagnostic {
    fileprivate static func unknown(
        _ reference: FlowReference, in target: String, among flows: [FlowDeclaration]
    ) -> Diagnostic {
        let near = nearest(to: reference.text, among: flows.compactMap(\.name))
        return Diagnostic(
            .afterUnknownFlow, at: reference.place,
            "the target '\(target)' declares no flow \(quoted(reference.text)) to come after",
            suggestion: near.map { "did you mean '\($0)'?" }
                ?? "write the name or the id of a flow of the same target, and pass its file, too")
    }

    fileprivate static func ambiguous(_ reference: FlowReference, among flows: [FlowDeclaration]) -> Diagnostic {
        Diagnostic(
            .afterUnknownFlow, at: reference.place,
            "\(flows.count) flows of the target '\(flows.first?.target ?? "")' have the name \(quoted(reference.text))",
            suggestion: "write the id of the one that is meant",
            notes: flows.map { Note(place: $0.place, message: "a flow of that name") })
    }

    fileprivate static func twice(_ reference: FlowReference, first: Place) -> Diagnostic {
        Diagnostic(
            .afterTwice, at: reference.place, "the flow \(quoted(reference.text)) is named twice",
            suggestion: "remove one", notes: [Note(place: first, message: "first named here")])
    }

    /// - Parameter steps: at least one flow, each with the position where it names the next. The last names the first.
    fileprivate static func cycle(_ steps: [(flow: FlowDeclaration, place: Place)]) -> Diagnostic {
        let title = steps[0].flow.title
        guard steps.count > 1 else {
            return Diagnostic(
                .afterItself, at: steps[0].place, "the flow \(quoted(title)) comes after itself",
                suggestion: "name another flow, or remove 'after'")
        }
        let way = steps.dropFirst().map { quoted($0.flow.title) }.joined(separator: ", which comes after ")
        return Diagnostic(
            .afterItself, at: steps[0].place, "the flow \(quoted(title)) comes after \(way), which comes after it",
            suggestion: "remove one of these lines: none of the flows could begin",
            notes: zip(steps.dropFirst(), steps.dropFirst(2) + steps.prefix(1)).map { step, next in
                Note(place: step.place, message: "\(quoted(step.flow.title)) comes after \(quoted(next.flow.title))")
            })
    }
}
