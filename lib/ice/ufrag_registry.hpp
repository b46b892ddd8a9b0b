// Which user name fragments are taken behind an address that several agents share.
#pragma once

#include <string>

namespace asiortc::ice {

/// Asked by each agent for the fragments that it makes. Called from wherever the agent is.
class ufrag_registry {
 public:
  virtual ~ufrag_registry() = default;
  /// False if another has it, and the agent makes another.
  virtual bool add(const std::string& ufrag) = 0;
  /// Checks for it are answered no more.
  virtual void remove(const std::string& ufrag) noexcept = 0;
};

}  // namespace asiortc::ice
