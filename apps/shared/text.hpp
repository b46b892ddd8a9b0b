// Text of strangers, made harmless for a terminal, and text of the user, made valid for the wire.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace shared {

/// Control characters become pictures of themselves (U+2400 and on), so that remote text can move
/// no cursor, forge no line and ring no bell; what changes the direction of writing and what is not
/// UTF-8 becomes U+FFFD. Tabs stay.
std::string printable(std::string_view text);

/// What is not UTF-8 becomes U+FFFD; a text message must be valid.
std::string valid_utf8(std::string_view text);

/// `what()` without the number and the category that end an error code's own, such as
/// `[system:98]`.
std::string plain_what(const std::exception& problem);

}  // namespace shared
