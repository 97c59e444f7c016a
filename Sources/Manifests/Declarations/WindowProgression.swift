import FlowRuns

/// Adjacent windows of equal length: `[start + i·length, start + (i+1)·length)` for `i` in `0 ..< count`.
package struct WindowProgression: Hashable, Sendable, Sequence {
    /// The start of the first window.
    package let start: Timestamp
    /// The end of the first window.
    private let firstEnd: Timestamp
    /// The number of windows.
    package let count: Int

    /// Creates a progression, which is empty if `count` or `length` is not positive.
    package init(start: Timestamp, length: Duration, count: Int) {
        self.start = start
        firstEnd = start + length
        self.count = count
    }

    /// The length of each window.
    package var length: Duration { firstEnd - start }

    /// The end of the last window.
    package var end: Timestamp { boundary(count) }

    /// The exact number of windows.
    package var underestimatedCount: Int { count }

    /// Extends the progression by one that begins at its end, if the windows have equal length.
    ///
    /// - Returns: whether it did.
    package mutating func absorb(_ next: WindowProgression) -> Bool {
        guard length == next.length, end == next.start else { return false }
        self = WindowProgression(start: start, length: length, count: count + next.count)
        return true
    }

    /// Returns the window at an index; `nil` outside `0 ..< count`.
    package subscript(index: Int) -> Window? {
        guard (0..<Swift.max(0, count)).contains(index) else { return nil }
        return Window(start: boundary(index), end: boundary(index + 1))
    }

    /// Returns an iterator over the windows, earliest first.
    package func makeIterator() -> Iterator { Iterator(progression: self) }

    /// An iterator over the windows of a progression.
    package struct Iterator: IteratorProtocol {
        fileprivate let progression: WindowProgression
        private var index = 0

        fileprivate init(progression: WindowProgression) { self.progression = progression }

        /// Returns the next window, or `nil` after the last.
        package mutating func next() -> Window? {
            defer { index += 1 }
            return progression[index]
        }
    }

    // An arbitrary progression can exceed the last instant; wrapping arithmetic yields no window there.
    private func boundary(_ index: Int) -> Timestamp {
        Timestamp(milliseconds: start.milliseconds &+ (firstEnd.milliseconds &- start.milliseconds) &* Int64(index))
    }
}
