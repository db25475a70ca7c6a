"""Parts shared by the figures: theme and colors, layout, heatmap cells, sheets of images, panels."""
