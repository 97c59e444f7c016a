import FlowRuns
import Foundation
import Hummingbird
import NIOCore
import Text

/// An exchange of request and response that a fault modifies.
struct FaultyExchange {
    let channel: any Channel
    let now: @Sendable () -> Timestamp

    /// Applies a fault before the request is processed; returns `nil` if the request should be processed normally.
    func before(_ fault: Fault.Kind) async -> Response? {
        switch fault {
        case .status(let status, let retryAfter):
            var answer = Self.error(status)
            answer.retryAfter = retryAfter.map(header)
            return answer.response
        case .hugeError:
            return ServiceAnswer(
                status: 500, body: String(repeating: "x", count: 10_000_000), contentType: "text/plain"
            ).response
        case .htmlError:
            return ServiceAnswer(
                status: 502, body: "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>",
                contentType: "text/html"
            ).response
        case .resetBefore: return await reset()
        case .closeIdle:
            try? await channel.close()
            return Response(status: .badGateway)
        case .slowBefore(let time):
            try? await Task.sleep(for: time)
            // Cancelled: the server is stopping and must not process any more requests.
            return Task.isCancelled ? await reset() : nil
        case .statusAfter, .resetAfter, .cutAnswer, .wrongLength, .slow, .slowBody, .noID: return nil
        }
    }

    /// Applies a fault to the response of a request that was processed or rejected.
    func after(_ fault: Fault.Kind, _ answer: ServiceAnswer) async -> Response {
        switch fault {
        case .statusAfter(let status): return Self.error(status).response
        case .resetAfter: return await reset()
        case .cutAnswer: return broken(answer, length: answer.body.utf8.count, sent: answer.body.utf8.count / 2)
        case .wrongLength: return broken(answer, length: answer.body.utf8.count / 2, sent: answer.body.utf8.count)
        case .slow(let time):
            try? await Task.sleep(for: time)
            return answer.response
        case .slowBody(let time): return inParts(answer, over: time)
        case .noID:
            var answer = answer
            if answer.status < 300 { answer.body = "{}" }
            return answer.response
        case .status, .resetBefore, .closeIdle, .hugeError, .htmlError, .slowBefore:
            return answer.response
        }
    }

    private static func error(_ status: Int) -> ServiceAnswer {
        var json = JSONText()
        json.object {
            $0.member("type", "http://ns.adobe.com/aep/errors/FLOW-\(status)")
            $0.member("title", "Simulated fault")
            $0.member("status", status)
            $0.member("detail", "The simulator was asked to answer \(status) here.")
        }
        return ServiceAnswer(status: status, body: json.text)
    }

    private func header(_ retryAfter: Fault.RetryAfter) -> String {
        switch retryAfter {
        case .seconds(let time): String(time.secondsRoundedUp)
        case .date(let time): HTTPDate.text(now() + time + .milliseconds(999))
        }
    }

    /// Closes the connection with RST: a linger time of zero suppresses FIN.
    private func reset() async -> Response {
        let noTime = linger(l_onoff: 1, l_linger: 0)
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(noTime).get()
        try? await channel.close()
        return Response(status: .badGateway)
    }

    /// Creates a response with a wrong `Content-Length`, after which the connection is closed.
    private func broken(_ answer: ServiceAnswer, length: Int, sent: Int) -> Response {
        var fields = answer.fields
        fields[.contentLength] = String(length)
        let bytes = ByteBuffer(bytes: answer.body.utf8.prefix(sent))
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: ResponseBody { writer in
                try await writer.write(bytes)
                try await channel.close()
            })
    }

    private func inParts(_ answer: ServiceAnswer, over time: Duration) -> Response {
        let bytes = Array(answer.body.utf8)
        let parts = 8
        var fields = answer.fields
        fields[.contentLength] = String(bytes.count)
        return Response(
            status: .init(code: answer.status), headers: fields,
            body: ResponseBody { writer in
                for number in 0..<parts {
                    try await Task.sleep(for: time / parts)
                    let part = bytes[(bytes.count * number / parts)..<(bytes.count * (number + 1) / parts)]
                    try await writer.write(ByteBuffer(bytes: part))
                }
                try await writer.finish(nil)
            })
    }
}
