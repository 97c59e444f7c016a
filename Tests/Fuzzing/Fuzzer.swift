import Foundation

/// The libFuzzer program for the target in `SLUICE_FUZZING`; the arguments are those of libFuzzer.
@main
enum Fuzzer {
    fileprivate static let target = FuzzTarget.all.first {
        $0.name == ProcessInfo.processInfo.environment["SLUICE_FUZZING"]
    }

    static func main() {
        guard target != nil else {
            print("set SLUICE_FUZZING to one of: \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
            exit(64)
        }
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        exit(runFuzzer(&count, &arguments) { testOneInput($0, $1) })
    }
}

/// The symbol must exist, because libFuzzer's unused main function refers to it.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        do { try await Fuzzer.target?.check(bytes) } catch { fatalError("\(error)") }
        done.signal()
    }
    done.wait()
    return 0
}

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ body: @convention(c) (_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt
) -> CInt
