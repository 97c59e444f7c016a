import FlowRuns

/// Windows of equal length that touch: `[start + i·length, start + (i+1)·length)` for `i` in `0 ..< count`.
package struct WindowProgression: Hashable, Sendable, Sequence {
    /// Where the first window starts.
    package let start: Timestamp
    /// Where the first window ends.
    private let firstEnd: Timestamp
    /// How many windows there are.
    package let count: Int

    /// A progression of no windows where `count` or `length` is not positive.
    package init(start: Timestamp, length: Duration, count: Int) {
        self.start = start
        firstEnd = start + length
        self.count = count
    }

    /// The length of each window.
    package var length: Duration { firstEnd - start }

    /// Where the last window ends.
    package var end: Timestamp { boundary(count) }

    /// How many windows there are; the count is known.
    package var underestimatedCount: Int { count }

    /// The window at an index; `nil` outside `0 ..< count`.
    package subscript(index: Int) -> Window? {
        guard (0..<Swift.max(0, count)).contains(index) else { return nil }
        return Window(start: boundary(index), end: boundary(index + 1))
    }

    /// The windows, earliest first.
    package func makeIterator() -> Iterator { Iterator(progression: self) }

    /// Walks the windows of a progression.
    package struct Iterator: IteratorProtocol {
        fileprivate let progression: WindowProgression
        private var index = 0

        fileprivate init(progression: WindowProgression) { self.progression = progression }

        /// The next window, `nil` after the last.
        package mutating func next() -> Window? {
            defer { index += 1 }
            return progression[index]
        }
    }

    // A progression made by hand can reach past the last instant there is; wrapping gives no window there.
    private func boundary(_ index: Int) -> Timestamp {
        Timestamp(milliseconds: start.milliseconds &+ (firstEnd.milliseconds &- start.milliseconds) &* Int64(index))
    }
}
