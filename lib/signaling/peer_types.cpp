#include <asiortc/signaling_types.hpp>

namespace asiortc::inline ASIORTC_ABI {

std::string_view to_string(leave_reason reason) noexcept {
  switch (reason) {
    case leave_reason::left:
      return "left";
    case leave_reason::timeout:
      return "timeout";
    case leave_reason::kicked:
      return "kicked";
    case leave_reason::closed:
      return "closed";
  }
  return "";
}

}  // namespace asiortc::inline ASIORTC_ABI
