// What the user is shown: lines of others on standard output, all else on standard error.
#pragma once

#include <string>
#include <string_view>

namespace peer_cli {

/// `NAME: text`, a line of its own whatever is in the text.
std::string shown(const std::string& name, std::string_view text);
/// A line of a report, on standard output.
void report(std::string_view line);
/// What happens.
void tell(std::string_view line);
/// Why the process ends with a status other than 0.
void complain(std::string_view line);

}  // namespace peer_cli
