"""What an ant colony needs: pheromone, the rule by which an ant chooses, walks, and which earlier networks share a beginning."""
