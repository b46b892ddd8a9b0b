// The bytes of a part of a JSON text, for what is passed on as it came.
#pragma once

#include <string_view>

namespace asiortc::signaling {

/// The value of the member `field` of `object`, a valid JSON object, without the white space around
/// it; of several members of that name the last, as the parser has it. Empty where there is none.
std::string_view member_text(std::string_view object, std::string_view field);

}  // namespace asiortc::signaling
