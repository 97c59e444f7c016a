import FlowRuns
import Manifests

/// The requests of one flow, in the order of sending.
///
/// Requests whose windows and lines follow at equal steps, as series produce and people write them, are stored as one
/// row: a million of them need as much memory as two.
package struct PlannedActions: Sendable {
    package private(set) var rows: [Row] = []

    package init() {}

    package init(_ actions: some Sequence<PlannedAction>) { append(contentsOf: actions) }

    package mutating func append(_ action: PlannedAction) {
        if let last = rows.indices.last, rows[last].extend(with: action) { return }
        rows.append(Row(first: action, index: count))
    }

    package mutating func append(contentsOf actions: some Sequence<PlannedAction>) {
        for action in actions { append(action) }
    }

    /// Returns the requests with the first one replaced.
    func replacingFirst(by first: PlannedAction) -> PlannedActions {
        var actions: PlannedActions = [first]
        if let rest = rows.first?.dropFirst() { actions.rows.append(rest) }
        actions.rows += rows.dropFirst()
        return actions
    }

    /// Sorts the requests. Fast path: the input is usually already sorted or reversed.
    mutating func sort(by isBefore: (PlannedAction, PlannedAction) -> Bool) {
        // All pairs of neighbours within a row compare alike.
        if neighbours.allSatisfy({ !isBefore($1, $0) }) { return }
        let isReversed = neighbours.allSatisfy { isBefore($1, $0) }
        self = isReversed ? PlannedActions(reversed()) : PlannedActions(sorted(by: isBefore))
    }

    /// Pairs of consecutive requests. The first pair of a row represents all pairs of that row.
    package var neighbours: [(PlannedAction, PlannedAction)] {
        var pairs: [(PlannedAction, PlannedAction)] = []
        for (index, row) in rows.enumerated() {
            if index > 0 { pairs.append((rows[index - 1].last, row.first)) }
            if row.count > 1 { pairs.append((row.first, row[1])) }
        }
        return pairs
    }

    /// A row of requests that differ only in their window's time and their line, at equal steps.
    package struct Row: Sendable {
        package let first: PlannedAction
        package private(set) var count = 1
        /// The index of the row's first request among all requests.
        fileprivate let index: Int
        /// The step from one request to the next, in milliseconds.
        private var step: Int64 = 0
        /// The step from one request to the next, in lines.
        private var lines = 0

        fileprivate init(first: PlannedAction, index: Int) {
            self.first = first
            self.index = index
        }

        package var last: PlannedAction { self[count - 1] }
        fileprivate var end: Int { index + count }

        package subscript(offset: Int) -> PlannedAction {
            offset == 0 ? first : first.moved(by: step &* Int64(offset), lines: lines * offset)
        }

        /// Adds the request to the row if it continues the row.
        fileprivate mutating func extend(with action: PlannedAction) -> Bool {
            guard action.differsOnlyInPlace(from: first) else { return false }
            let distance = action.window.start.milliseconds &- first.window.start.milliseconds
            let lines = action.place.line - first.place.line
            if count == 1 { (step, self.lines) = (distance, lines) }
            guard distance == step &* Int64(count), lines == self.lines * count else { return false }
            count += 1
            return true
        }

        /// Returns the row without its first request; `nil` if no request is left.
        fileprivate func dropFirst() -> Row? {
            guard count > 1 else { return nil }
            var row = Row(first: self[1], index: index + 1)
            (row.count, row.step, row.lines) = (count - 1, step, lines)
            return row
        }
    }
}

extension PlannedActions: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { rows.last?.end ?? 0 }

    package subscript(position: Int) -> PlannedAction {
        let row = rows[rows.partitioningIndex { $0.end > position }]
        return row[position - row.index]
    }

    package func makeIterator() -> Iterator { Iterator(rows: rows) }

    /// An iterator that advances row by row, without a search.
    package struct Iterator: IteratorProtocol {
        private let rows: [Row]
        private var row = 0
        private var offset = 0

        fileprivate init(rows: [Row]) { self.rows = rows }

        package mutating func next() -> PlannedAction? {
            guard row < rows.count else { return nil }
            defer {
                offset += 1
                if offset == rows[row].count { (row, offset) = (row + 1, 0) }
            }
            return rows[row][offset]
        }
    }
}

extension PlannedActions: Hashable {
    /// Compares the requests, regardless of the rows in which they are stored.
    package static func == (left: PlannedActions, right: PlannedActions) -> Bool { left.elementsEqual(right) }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(first)
    }
}

extension PlannedActions: ExpressibleByArrayLiteral {
    package init(arrayLiteral actions: PlannedAction...) { self.init(actions) }
}
