import FlowRuns
import Manifests

/// The requests of one flow, in the order in which they are sent.
///
/// Those whose windows and lines follow each other at equal steps, as a series cuts them and as people write them, are
/// kept as one row: a million of them need no more memory than two.
package struct PlannedActions: Hashable, Sendable {
    private var rows: [Row] = []
    package private(set) var count = 0

    package init() {}

    package init(_ actions: some Sequence<PlannedAction>) { append(contentsOf: actions) }

    package mutating func append(_ action: PlannedAction) {
        defer { count += 1 }
        if let last = rows.indices.last, rows[last].take(action, at: count) { return }
        rows.append(Row(first: action, index: count))
    }

    package mutating func append(contentsOf actions: some Sequence<PlannedAction>) {
        for action in actions { append(action) }
    }

    /// The same with another first request.
    package func replacingFirst(by first: PlannedAction) -> PlannedActions {
        var actions: PlannedActions = [first]
        actions.append(contentsOf: dropFirst())
        return actions
    }

    /// Mostly they are in order already, or the other way round.
    mutating func sort(by isBefore: (PlannedAction, PlannedAction) -> Bool) {
        func areInOrder(_ actions: some Sequence<PlannedAction>) -> Bool {
            var previous: PlannedAction?
            for action in actions {
                if let previous, isBefore(action, previous) { return false }
                previous = action
            }
            return true
        }
        if areInOrder(self) { return }
        self = areInOrder(reversed()) ? PlannedActions(reversed()) : PlannedActions(sorted(by: isBefore))
    }

    private struct Row: Hashable {
        let first: PlannedAction
        /// Of the first.
        let index: Int
        /// From one to the next: in milliseconds, and in lines.
        private var step: Int64 = 0
        private var lines = 0

        init(first: PlannedAction, index: Int) {
            self.first = first
            self.index = index
        }

        /// Takes the action in when it is the next of the row.
        ///
        /// - Parameter next: the index that it has.
        mutating func take(_ action: PlannedAction, at next: Int) -> Bool {
            guard action.differsOnlyInPlace(from: first) else { return false }
            let distance = action.window.start.milliseconds &- first.window.start.milliseconds
            let lines = action.place.line - first.place.line
            if next == index + 1 { (step, self.lines) = (distance, lines) }
            return distance == step &* Int64(next - index) && lines == self.lines * (next - index)
        }

        subscript(position: Int) -> PlannedAction {
            let offset = position - index
            return offset == 0 ? first : first.moved(by: step &* Int64(offset), lines: lines * offset)
        }
    }
}

extension PlannedActions: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(position: Int) -> PlannedAction {
        // The last row that begins at the position or before it.
        var (low, high) = (0, rows.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if rows[middle].index > position { high = middle } else { low = middle }
        }
        return rows[low][position]
    }

    package func makeIterator() -> Iterator { Iterator(actions: self) }

    /// Goes from row to row, without a search.
    package struct Iterator: IteratorProtocol {
        private let actions: PlannedActions
        private var row = 0
        private var position = 0

        fileprivate init(actions: PlannedActions) { self.actions = actions }

        package mutating func next() -> PlannedAction? {
            guard position < actions.count else { return nil }
            defer { position += 1 }
            if row + 1 < actions.rows.count, actions.rows[row + 1].index == position { row += 1 }
            return actions.rows[row][position]
        }
    }
}

extension PlannedActions: ExpressibleByArrayLiteral {
    package init(arrayLiteral actions: PlannedAction...) { self.init(actions) }
}
