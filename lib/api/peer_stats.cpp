// Statistics as the user asks for them: all, or those of one channel.
#include "api/peer_state.hpp"

#include <algorithm>
#include <utility>

namespace asiortc::inline ASIORTC_ABI::detail {
namespace {

template <class Entry>
void keep_only(std::vector<Entry>& entries, const std::string& id) {
  std::erase_if(entries, [&](const Entry& entry) { return entry.id != id; });
}

/// Leaves the transport and what it refers to, which is the way of every channel.
void keep_way(stats_report& report) {
  report.peer_connection.reset();
  const auto in_use = report.transports.front().selected_candidate_pair_id.value_or("");
  keep_only(report.candidate_pairs, in_use);
  const candidate_pair_stats* const pair = find_stats(report.candidate_pairs, in_use);
  keep_only(report.local_candidates, pair != nullptr ? pair->local_candidate_id : "");
  keep_only(report.remote_candidates, pair != nullptr ? pair->remote_candidate_id : "");
}

}  // namespace

void peer_state::start(stats_completion handler, std::shared_ptr<channel_state> selector) {
  if (context_gone()) return;
  auto waiting = operation<stats_report>::start(executor, std::move(handler));
  on_strand([self = self(), waiting, selector = std::move(selector)] {
    if (selector && !selector->belongs_to(*self)) {
      return waiting->complete(errc::invalid_access, stats_report());
    }
    waiting->complete({}, self->make_stats(selector.get()));
  });
}

stats_report peer_state::make_stats(const channel_state* selector) {
  stats_report report = core().stats(now());
  if (selector != nullptr) keep_way(report);
  std::vector<const channel_state*> wanted;
  for (const auto& [key, channel] : channels_) {
    if (selector == nullptr || channel.get() == selector) wanted.push_back(channel.get());
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const channel_state* a, const channel_state* b) { return *a->key < *b->key; });
  for (const channel_state* const channel : wanted) {
    if (channel->last_stats) {
      report.data_channels.push_back(*channel->last_stats);
    } else if (auto entry = core().channel_stats(now(), *channel->key)) {
      report.data_channels.push_back(std::move(*entry));
    }
  }
  return report;
}

}  // namespace asiortc::inline ASIORTC_ABI::detail
