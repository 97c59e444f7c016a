import FlowRuns

/// The time that windows cover: disjoint intervals in order, joined where windows touch or overlap.
package struct CoveredIntervals: Hashable, Sendable {
    package let intervals: [Window]

    package init(_ windows: [Window]) {
        let isSorted = zip(windows, windows.dropFirst()).allSatisfy { $0 <= $1 }
        intervals = Array(folding: isSorted ? windows : windows.sorted()) { last, window in
            guard window.start <= last.end else { return false }
            last = Window(start: last.start, end: max(last.end, window.end)) ?? last
            return true
        }
    }

    package var length: Duration { intervals.reduce(.zero) { $0 + $1.length } }

    /// Whether any instant of the window is covered.
    package func overlaps(_ window: Window) -> Bool { first(endingAfter: window.start).map(window.overlaps) ?? false }

    /// Whether the whole window is covered.
    package func contains(_ window: Window) -> Bool { first(endingAfter: window.start)?.contains(window) ?? false }

    /// Returns the time that both values cover.
    package func intersection(_ other: CoveredIntervals) -> CoveredIntervals {
        var common: [Window] = []
        var (left, right) = (0, 0)
        while left < intervals.count, right < other.intervals.count {
            let (first, second) = (intervals[left], other.intervals[right])
            if let both = Window(start: max(first.start, second.start), end: min(first.end, second.end)) {
                common.append(both)
            }
            if first.end < second.end { left += 1 } else { right += 1 }
        }
        return CoveredIntervals(common)
    }

    private func first(endingAfter time: Timestamp) -> Window? {
        let index = intervals.partitioningIndex { $0.end > time }
        return index < intervals.count ? intervals[index] : nil
    }
}
