// The candidates of the other side: signalled ones and those that its checks made known.
#pragma once

#include "base/result.hpp"
#include "ice/candidate.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace asiortc::ice {

class remote_candidates {
 public:
  explicit remote_candidates(std::size_t limit) : limit_(limit) {}

  enum class change { none, added, merged };

  /// A signalled candidate. One that a check made known before takes over what was signalled
  /// (RFC 8445 7.3.1.3); one with a known address is redundant (5.1.3).
  base::result<change> add(const candidate& signalled);
  /// RFC 8445 7.3.1.3: "the priority is the value of the PRIORITY attribute in the request".
  /// Nothing when there are too many. `at` is the base that it came to.
  std::shared_ptr<const candidate> learn(const base::endpoint& from, std::uint32_t priority,
                                         const candidate& at);
  /// One over TCP whose connection is gone.
  void forget(const base::endpoint& from);

  [[nodiscard]] std::shared_ptr<const candidate> find(const base::endpoint& address,
                                                      transport_protocol protocol) const;
  [[nodiscard]] const std::vector<std::shared_ptr<candidate>>& all() const { return all_; }

 private:
  std::shared_ptr<candidate> find_mutable(const base::endpoint& address,
                                          transport_protocol protocol) const;

  std::vector<std::shared_ptr<candidate>> all_;
  std::size_t limit_;
  std::uint32_t learnt_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace asiortc::ice
