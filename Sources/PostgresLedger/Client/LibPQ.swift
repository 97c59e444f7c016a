import Foundation
import Ledger

/// The libpq functions that Sluice uses. The library is loaded on first use rather than linked, so the same program
/// also runs where libpq is not installed, and names the package to install when libpq is needed.
struct LibPQ: Sendable {
    typealias Text = UnsafePointer<CChar>
    typealias Texts = UnsafePointer<Text?>
    typealias NoticeReceiver = @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void

    // Connections and results are opaque pointers.
    let connectdbParams: @convention(c) @Sendable (Texts, Texts, Int32) -> OpaquePointer?
    let finish: @convention(c) @Sendable (OpaquePointer?) -> Void
    /// Closes the connection and reconnects with the same parameters. Blocks.
    let reset: @convention(c) @Sendable (OpaquePointer?) -> Void
    let setErrorVerbosity: @convention(c) @Sendable (OpaquePointer?, Int32) -> Int32
    let connectionNeedsPassword: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let status: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let errorMessage: @convention(c) @Sendable (OpaquePointer?) -> Text?
    let socket: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let setnonblocking: @convention(c) @Sendable (OpaquePointer?, Int32) -> Int32
    let parameterStatus: @convention(c) @Sendable (OpaquePointer?, Text) -> Text?
    let setNoticeReceiver:
        @convention(c) @Sendable (OpaquePointer?, NoticeReceiver?, UnsafeMutableRawPointer?) -> NoticeReceiver?

    let sendQuery: @convention(c) @Sendable (OpaquePointer?, Text) -> Int32
    let sendQueryParams:
        @convention(c) @Sendable (
            OpaquePointer?, Text, Int32, UnsafePointer<UInt32>?, Texts?, UnsafePointer<Int32>?, UnsafePointer<Int32>?,
            Int32
        ) -> Int32
    let setSingleRowMode: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let flush: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let consumeInput: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let isBusy: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let getResult: @convention(c) @Sendable (OpaquePointer?) -> OpaquePointer?

    let resultStatus: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let resultErrorField: @convention(c) @Sendable (OpaquePointer?, Int32) -> Text?
    let cmdStatus: @convention(c) @Sendable (OpaquePointer?) -> Text?
    let cmdTuples: @convention(c) @Sendable (OpaquePointer?) -> Text?
    let ntuples: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let nfields: @convention(c) @Sendable (OpaquePointer?) -> Int32
    let getvalue: @convention(c) @Sendable (OpaquePointer?, Int32, Int32) -> Text?
    let getisnull: @convention(c) @Sendable (OpaquePointer?, Int32, Int32) -> Int32
    /// The library's version: `140000` is version 14.
    let libraryVersion: @convention(c) @Sendable () -> Int32
    let getlength: @convention(c) @Sendable (OpaquePointer?, Int32, Int32) -> Int32
    let clear: @convention(c) @Sendable (OpaquePointer?) -> Void

    /// Loads the library, once per process.
    ///
    /// - Throws: `LedgerError.unusable` naming the package to install, when libpq is missing or too old.
    static func loaded() throws(LedgerError) -> LibPQ { try library.get() }

    private static let library: Result<LibPQ, LedgerError> = Result { () throws(LedgerError) in try LibPQ() }

    #if os(macOS)
        static let names = [
            "libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib", "/usr/local/opt/libpq/lib/libpq.5.dylib",
        ]
        private static let package = "install it with 'brew install libpq'"
    #else
        static let names = ["libpq.so.5"]
        private static let package = "install the package libpq5 (Debian, Ubuntu), libpq (Fedora, Alpine)"
    #endif

    init(names: [String] = Self.names) throws(LedgerError) {
        guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW | RTLD_LOCAL) }).first else {
            throw .unusable("a ledger on PostgreSQL needs the library libpq, which is not installed: \(Self.package)")
        }
        let functions = Functions(library: library)
        connectdbParams = try functions.find("PQconnectdbParams")
        finish = try functions.find("PQfinish")
        reset = try functions.find("PQreset")
        setErrorVerbosity = try functions.find("PQsetErrorVerbosity")
        connectionNeedsPassword = try functions.find("PQconnectionNeedsPassword")
        status = try functions.find("PQstatus")
        errorMessage = try functions.find("PQerrorMessage")
        socket = try functions.find("PQsocket")
        setnonblocking = try functions.find("PQsetnonblocking")
        parameterStatus = try functions.find("PQparameterStatus")
        setNoticeReceiver = try functions.find("PQsetNoticeReceiver")
        sendQuery = try functions.find("PQsendQuery")
        sendQueryParams = try functions.find("PQsendQueryParams")
        setSingleRowMode = try functions.find("PQsetSingleRowMode")
        flush = try functions.find("PQflush")
        consumeInput = try functions.find("PQconsumeInput")
        isBusy = try functions.find("PQisBusy")
        getResult = try functions.find("PQgetResult")
        resultStatus = try functions.find("PQresultStatus")
        resultErrorField = try functions.find("PQresultErrorField")
        cmdStatus = try functions.find("PQcmdStatus")
        cmdTuples = try functions.find("PQcmdTuples")
        ntuples = try functions.find("PQntuples")
        nfields = try functions.find("PQnfields")
        getvalue = try functions.find("PQgetvalue")
        getisnull = try functions.find("PQgetisnull")
        libraryVersion = try functions.find("PQlibVersion")
        getlength = try functions.find("PQgetlength")
        clear = try functions.find("PQclear")
    }

    /// Finds functions in the library, which stays loaded until the process ends.
    private struct Functions {
        let library: UnsafeMutableRawPointer

        /// - Parameter Function: the function's type, as declared in `libpq-fe.h`.
        func find<Function>(_ name: String) throws(LedgerError) -> Function {
            guard let symbol = dlsym(library, name) else {
                throw .unusable("the library libpq is too old: it has no function \(name)")
            }
            return unsafeBitCast(symbol, to: Function.self)
        }
    }
}

/// Constants of `ConnStatusType`, `ExecStatusType` and the `PG_DIAG` fields (`libpq-fe.h`, `postgres_ext.h`).
enum LibPQConstant {
    static let connectionOK: Int32 = 0
    static let defaultErrors: Int32 = 1
    static let verboseErrors: Int32 = 2
    static let commandOK: Int32 = 1
    static let tuplesOK: Int32 = 2
    static let singleTuple: Int32 = 9
    static let emptyQuery: Int32 = 0

    static let sqlState = Int32(UInt8(ascii: "C"))
    static let message = Int32(UInt8(ascii: "M"))
}
