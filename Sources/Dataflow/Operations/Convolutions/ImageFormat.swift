/// `data_format`: where a batch of images has its dimensions.
enum ImageFormat: String, Sendable {
    case channelsLast = "NHWC"
    case channelsFirst = "NCHW"

    init(_ attributes: Attributes) throws {
        let text = try attributes.string("data_format")
        guard let format = ImageFormat(rawValue: text) else {
            throw GraphError("data_format must be NHWC or NCHW, got \(text)")
        }
        self = format
    }

    var channels: Int { self == .channelsLast ? 3 : 1 }
    var height: Int { self == .channelsLast ? 1 : 2 }
    var width: Int { height + 1 }

    /// Four values in the format's order.
    func arranged<Value>(batch: Value, height: Value, width: Value, channels: Value) -> [Value] {
        self == .channelsLast ? [batch, height, width, channels] : [batch, channels, height, width]
    }
}
