import FlowRuns
import Testing

@Suite("Windows")
struct WindowTests {
    @Test("a window that ends before it starts, or lasts no second, is none")
    func emptyWindows() {
        #expect(Window(start: 10, end: 10) == nil)
        #expect(Window(start: 10, end: 9) == nil)
        #expect(Window(start: 10, end: 11)?.length == 1)
    }

    @Test("windows that only touch do not overlap")
    func touching() throws {
        let first = try #require(Window(start: 0, end: 10))
        let second = try #require(Window(start: 10, end: 20))
        #expect(!first.overlaps(second))
        #expect(try first.overlaps(#require(Window(start: 9, end: 11))))
    }
}
