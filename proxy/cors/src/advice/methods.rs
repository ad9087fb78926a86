//! The fewest sets of methods that give each origin the methods that it needs and none that it must not have.

use crate::AllowedMethod;

/// Some methods: a bit for each, in the order of [`AllowedMethod::ALL`].
pub(super) type Methods = u8;

/// What an origin needs, and what it may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) needed: Methods,
    pub(super) possible: Methods,
}

pub(super) fn bit(method: AllowedMethod) -> Methods {
    let place = AllowedMethod::ALL.iter().position(|known| *known == method);
    place.map_or(0, |place| 1 << place)
}

pub(super) fn list(methods: Methods) -> Vec<AllowedMethod> {
    AllowedMethod::ALL.into_iter().filter(|method| methods & bit(*method) != 0).collect()
}

/// The fewest sets so that every need is met by those of them that it may have whole; the larger sets first. There are five methods,
/// so that all combinations of their sets can be tried.
pub(super) fn fewest(needs: &[Need]) -> Vec<Methods> {
    let all = needs.iter().fold(0, |all, need| all | need.needed);
    let mut candidates: Vec<Methods> = (1..=all).filter(|set| set & all == *set).collect();
    candidates.sort_by_key(|set| std::cmp::Reverse(set.count_ones()));
    // Each method by itself meets every need, so that more sets than methods are never needed.
    for count in 0..=all.count_ones() {
        if let Some(chosen) = choose(&candidates, count, &mut Vec::new(), needs) {
            return chosen;
        }
    }
    AllowedMethod::ALL.into_iter().map(bit).filter(|method| method & all != 0).collect()
}

fn choose(candidates: &[Methods], count: u32, chosen: &mut Vec<Methods>, needs: &[Need]) -> Option<Vec<Methods>> {
    if count == 0 {
        return needs.iter().all(|need| is_met(*need, chosen)).then(|| chosen.clone());
    }
    for (place, candidate) in candidates.iter().enumerate() {
        chosen.push(*candidate);
        let found = choose(candidates.get(place + 1..).unwrap_or_default(), count - 1, chosen, needs);
        chosen.pop();
        if found.is_some() {
            return found;
        }
    }
    None
}

fn is_met(need: Need, chosen: &[Methods]) -> bool {
    let got = chosen.iter().filter(|set| is_possible(need, **set)).fold(0, |got, set| got | set);
    need.needed & !got == 0
}

pub(super) const fn is_possible(need: Need, set: Methods) -> bool {
    set & !need.possible == 0
}
