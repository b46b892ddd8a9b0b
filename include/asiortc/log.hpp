// Where log lines go: to a function that the user gives, or nowhere.
#pragma once

#include <asiortc/config.hpp>

#include <functional>
#include <string_view>

namespace asiortc::inline ASIORTC_ABI {

/// How much a line of the log matters, the least first.
enum class ASIORTC_EXPORT log_level { trace, debug, info, warning, error };

/// Called with the level, the layer ("ice", "dtls", …) and one line without a line end. It is
/// called on the peer's strand, must not throw, and must not call back into the peer.
using log_sink = std::function<void(log_level, std::string_view layer, std::string_view line)>;

}  // namespace asiortc::inline ASIORTC_ABI
