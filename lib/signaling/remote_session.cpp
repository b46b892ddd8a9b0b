#include "signaling/remote_session.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::signaling {
namespace {

/// What is on its way when a connection is replaced is of the last few.
constexpr std::size_t max_retired = 8;

}  // namespace

std::string_view session_id_of(std::string_view sdp) {
  std::size_t at = sdp.starts_with("o=") ? 0 : sdp.find("\no=");
  if (at == std::string_view::npos) return {};
  at = sdp.find_first_of(" \r\n", at + 1);  // behind the user name
  if (at == std::string_view::npos || sdp[at] != ' ') return {};
  const std::size_t end = sdp.find_first_of(" \r\n", at + 1);
  return sdp.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
}

remote_session::verdict remote_session::judge(const session_description& description) {
  const std::string_view id = session_id_of(description.sdp);
  if (id.empty() || id == current_) return verdict::current;
  if (std::ranges::find(retired_, id) != retired_.end()) return verdict::stale;
  if (current_.empty()) {
    current_ = id;
    return verdict::current;
  }
  if (description.type != sdp_type::offer) return verdict::stale;
  retire();
  current_ = id;
  return verdict::anew;
}

void remote_session::begin_anew() { retire(); }

void remote_session::retire() {
  if (current_.empty()) return;
  retired_.push_back(std::exchange(current_, {}));
  if (retired_.size() > max_retired) retired_.pop_front();
}

}  // namespace asiortc::signaling
