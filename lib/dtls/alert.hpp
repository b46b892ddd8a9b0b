// Alerts, RFC 5246 7.2.
#pragma once

#include "base/bytes.hpp"

#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace asiortc::dtls {

enum class alert_level : std::uint8_t { warning = 1, fatal = 2 };

struct alert {
  alert_level level = alert_level::warning;
  std::uint8_t description = 0;

  [[nodiscard]] bool is_close_notify() const { return description == SSL3_AD_CLOSE_NOTIFY; }
  /// E.g. `internal error`.
  [[nodiscard]] std::string name() const { return SSL_alert_desc_string_long(description); }
};

/// Nothing when it is not one: in DTLS a record holds a whole alert, and no more.
inline std::optional<alert> read_alert(base::byte_span content) {
  if (content.size() != 2 || content[0] < 1 || content[0] > 2) return std::nullopt;
  return alert{static_cast<alert_level>(content[0]), content[1]};
}

/// level(1) description(1). RFC 5246 7.2.1 has close_notify a warning.
inline constexpr std::array<std::uint8_t, 2> close_notify = {
    static_cast<std::uint8_t>(alert_level::warning), SSL3_AD_CLOSE_NOTIFY};

}  // namespace asiortc::dtls
