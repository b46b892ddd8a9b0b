// Checking UTF-8 (RFC 3629).
#pragma once

#include <string_view>

namespace asiortc::base {

/// Whether the text is well-formed: no overlong form, no surrogate, nothing past U+10FFFF.
bool is_valid_utf8(std::string_view text);

}  // namespace asiortc::base
