import FlowRuns
import Testing

@Suite("Windows")
struct WindowTests {
    @Test("a window that is empty or ends before it starts is invalid")
    func emptyWindows() {
        #expect(Window(startSeconds: 10, endSeconds: 10) == nil)
        #expect(Window(startSeconds: 10, endSeconds: 9) == nil)
        #expect(Window(startSeconds: 10, endSeconds: 11)?.length == .seconds(1))
    }

    @Test("windows that only touch do not overlap")
    func touching() throws {
        let first = try #require(Window(startSeconds: 0, endSeconds: 10))
        let second = try #require(Window(startSeconds: 10, endSeconds: 20))
        #expect(!first.overlaps(second))
        #expect(try first.overlaps(#require(Window(startSeconds: 9, endSeconds: 11))))
    }
}
